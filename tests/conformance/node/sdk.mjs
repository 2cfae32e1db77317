// The openai SDK for Node, driven line by line: a client event on stdin is sent, a server event received is a line on stdout.
// usage: node sdk.mjs BASE_URL ws | websocket | beta
import { createInterface } from 'node:readline';
import OpenAI from 'openai';
import { OpenAIRealtimeWS as Beta } from 'openai/beta/realtime/ws';
import { OpenAIRealtimeWebSocket } from 'openai/realtime/websocket';
import { OpenAIRealtimeWS } from 'openai/realtime/ws';
import WebSocket from 'ws';

const [baseURL, kind] = process.argv.slice(2);
// Node 20 has no WebSocket of its own; browsers and later versions do.
globalThis.WebSocket ??= WebSocket;
const client = new OpenAI({ apiKey: 'sk-test', baseURL });
const Connection = { ws: OpenAIRealtimeWS, websocket: OpenAIRealtimeWebSocket, beta: Beta }[kind];
const connection = new Connection({ model: 'gpt-realtime' }, client);
connection.on('event', (event) => process.stdout.write(JSON.stringify(event) + '\n'));
connection.on('error', (error) => console.error(error.message));
const opened = new Promise((resolve) => connection.socket.addEventListener('open', resolve));
for await (const line of createInterface({ input: process.stdin })) {
  await opened;
  connection.send(JSON.parse(line));
}
connection.close();
