// The Agents SDK in TypeScript. Reads commands from stdin, writes what happens to stdout, a JSON line each.
// usage: node agents.mjs WEBSOCKET_URL vad | push-to-talk
import { createInterface } from 'node:readline';
import { RealtimeAgent, RealtimeSession, tool } from '@openai/agents-realtime';
import { z } from 'zod';

const tell = (kind, data = {}) => process.stdout.write(JSON.stringify({ kind, ...data }) + '\n');
const weather = tool({
  name: 'get_weather',
  description: 'The weather in a city.',
  parameters: z.object({ city: z.string() }),
  execute: async ({ city }) => {
    tell('tool', { city });
    return JSON.stringify({ condition: 'sunny', temperature: 20 });
  },
});
const agent = new RealtimeAgent({ name: 'assistant', instructions: 'Your name is Robin.', tools: [weather] });
const config = process.argv[3] === 'push-to-talk' ? { audio: { input: { turnDetection: null } } } : {};
const session = new RealtimeSession(agent, { transport: 'websocket', model: 'gpt-realtime', tracingDisabled: true, config });
// Its transport hands on every event as it came, before and beside what it understands of them.
session.transport.on('*', (event) => tell('raw', { event }));
session.on('audio', (event) => tell('audio', { bytes: event.data.byteLength }));
session.on('audio_interrupted', () => tell('audio_interrupted'));
session.on('history_updated', (history) => tell('history', { roles: history.map((item) => item.role ?? item.type) }));
session.on('error', (error) => tell('error', { error: String(error?.error?.message ?? error?.error ?? error) }));
await session.connect({ apiKey: 'sk-test', url: process.argv[2] });
tell('connected');
for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  if (command.audio) session.sendAudio(Uint8Array.from(Buffer.from(command.audio, 'base64')).buffer);
  if (command.message) session.sendMessage(command.message);
  // The application's own door cancels as well; the transport's can be told to leave that to the server.
  if (command.interrupt === 'session') session.interrupt();
  if (command.interrupt === 'transport') session.transport.interrupt(false);
  if (command.event) session.transport.sendEvent(command.event);
}
session.close();
