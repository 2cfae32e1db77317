// The playground: a plain client of /v1/realtime. It uses documented events only.
const RATE = 24000;
const $ = (id) => document.getElementById(id);
const COFFEE = {
  type: "function",
  name: "order_drink",
  description: "Order a drink.",
  parameters: {
    type: "object",
    properties: {
      coffeeDrink: { type: "string", enum: ["americano", "cappuccino", "espresso", "iced mocha", "latte", "mocha", "coffee", "drip coffee", "house coffee", "iced coffee"] },
      size: { type: "string", enum: ["small", "medium", "large", "eight ounce", "twelve ounce", "sixteen ounce", "twenty ounce"] },
      roast: { type: "string", enum: ["light roast", "medium roast", "dark roast"] },
      numberOfShots: { type: "string", enum: ["single shot", "double shot", "triple shot"] },
      milkAmount: { type: "string" },
      sugarAmount: { type: "string" },
    },
    required: ["coffeeDrink"],
  },
};

let socket, context, source, stream;
let playAt = 0; // when, on the context's clock, what is queued will have been played
let playing = []; // sources not yet ended
let heard = null; // the answer that is sounding: {itemId, startedAt}
const bubbles = new Map(); // item id -> element
const clock = []; // [milliseconds of audio sent, performance.now()]
let sentMs = 0;
let turn = null; // where this turn's time went

function log(event, sent) {
  const item = document.createElement("li");
  item.textContent = `${sent ? "<" : ">"} ${event.type}${event.error ? ": " + event.error.message : ""}`;
  item.className = sent ? "sent" : event.type === "error" ? "error" : "";
  const last = $("events").lastElementChild;
  if (last && last.dataset.type === event.type) {
    last.dataset.count = Number(last.dataset.count) + 1;
    last.textContent = `${item.textContent} ×${last.dataset.count}`;
    return;
  }
  item.dataset.type = event.type;
  item.dataset.count = 1;
  $("events").append(item);
  while ($("events").children.length > 400) $("events").firstElementChild.remove();
  $("log").scrollTop = $("log").scrollHeight;
}

function send(event) {
  if (socket?.readyState !== WebSocket.OPEN) return;
  socket.send(JSON.stringify(event));
  log(event, true);
}

function bubble(id, kind) {
  if (!bubbles.has(id)) {
    const element = document.createElement("div");
    element.className = `turn ${kind}`;
    $("conversation").querySelector(".hint")?.remove();
    $("conversation").append(element);
    bubbles.set(id, element);
  }
  $("conversation").scrollTop = $("conversation").scrollHeight;
  return bubbles.get(id);
}

const toBase64 = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));

function play(base64, itemId) {
  const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  const samples = Float32Array.from(new Int16Array(bytes.buffer), (value) => value / 32768);
  const buffer = context.createBuffer(1, samples.length, RATE);
  buffer.copyToChannel(samples, 0);
  const node = context.createBufferSource();
  node.buffer = buffer;
  node.connect(context.destination);
  playAt = Math.max(playAt, context.currentTime + 0.02);
  if (heard?.itemId !== itemId) heard = { itemId, startedAt: playAt };
  node.start(playAt);
  playAt += buffer.duration;
  playing.push(node);
  node.onended = () => (playing = playing.filter((other) => other !== node));
}

// The user speaks: silence at once, and tell the server how much of the answer was heard.
function interrupt() {
  if (!playing.length || !heard) return;
  const heardMs = Math.max(0, Math.round((context.currentTime - heard.startedAt) * 1000));
  for (const node of playing) node.stop();
  playing = [];
  playAt = 0;
  bubbles.get(heard.itemId)?.classList.add("cut");
  send({ type: "conversation.item.truncate", item_id: heard.itemId, content_index: 0, audio_end_ms: heardMs });
  heard = null;
}

// When was this millisecond of our audio spoken, on the page's clock?
function spokenAt(ms) {
  const later = clock.find(([end]) => end >= ms) ?? clock.at(-1);
  return later ? later[1] - (later[0] - ms) : performance.now();
}

function mark(name) {
  if (!turn || turn[name]) return;
  turn[name] = performance.now();
  if (name !== "audio") return;
  const parts = [["turn decided", turn.stopped - turn.ended], ["first words", turn.words - turn.stopped], ["first sound", turn.audio - turn.words]];
  const times = document.createElement("div");
  times.className = "times";
  const bar = document.createElement("div");
  bar.className = "bar";
  for (const [, ms] of parts) {
    const piece = document.createElement("i");
    piece.style.flexGrow = Math.max(1, ms);
    bar.append(piece);
  }
  times.append(bar, `speech end → ` + parts.map(([label, ms]) => `${label} ${Math.round(ms)} ms`).join(" → "));
  $("conversation").append(times);
}

const handlers = {
  "input_audio_buffer.speech_started": (event) => {
    interrupt();
    bubble(event.item_id, "user").textContent = "…";
  },
  "input_audio_buffer.speech_stopped": (event) => {
    turn = { ended: spokenAt(event.audio_end_ms - SILENCE_MS), stopped: performance.now() };
  },
  "conversation.item.input_audio_transcription.delta": (event) => {
    const element = bubble(event.item_id, "user");
    element.textContent = (element.textContent === "…" ? "" : element.textContent) + event.delta;
  },
  "conversation.item.input_audio_transcription.completed": (event) => {
    bubble(event.item_id, "user").textContent = event.transcript || "(not understood)";
  },
  "response.output_audio_transcript.delta": (event) => {
    mark("words");
    bubble(event.item_id, "bot").textContent += event.delta;
  },
  "response.output_audio.delta": (event) => {
    mark("audio");
    play(event.delta, event.item_id);
  },
  "response.function_call_arguments.done": (event) => {
    bubble(event.item_id, "call").textContent = `${event.name}(${event.arguments})`;
    send({ type: "conversation.item.create", item: { type: "function_call_output", call_id: event.call_id, output: '{"status": "ok"}' } });
    answerAfterThis = true;
  },
  "response.created": () => (active = true),
  "response.done": () => {
    active = false;
    if (answerAfterThis) send({ type: "response.create" });
    answerAfterThis = false;
  },
};
const SILENCE_MS = 300;
let active = false; // is a response running?
let answerAfterThis = false;

async function start() {
  context = new AudioContext({ sampleRate: RATE });
  stream = await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 } });
  await context.audioWorklet.addModule("microphone.js");
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const protocols = ["realtime"];
  if ($("key").value) protocols.push(`openai-insecure-api-key.${$("key").value}`);
  socket = new WebSocket(`${scheme}//${location.host}/v1/realtime`, protocols);
  socket.onmessage = ({ data }) => {
    const event = JSON.parse(data);
    log(event, false);
    if (event.type === "error") $("status").textContent = event.error.message;
    handlers[event.type]?.(event);
  };
  socket.onclose = ({ code, reason }) => stop(`closed (${code}${reason ? " " + reason : ""})`);
  await new Promise((resolve) => (socket.onopen = resolve));
  send({
    type: "session.update",
    session: {
      type: "realtime",
      instructions: $("instructions").value,
      tools: $("tools").checked ? [COFFEE] : [],
      audio: {
        input: { transcription: { model: "default" }, turn_detection: { type: "server_vad", silence_duration_ms: SILENCE_MS } },
        output: { voice: $("voice").value },
      },
    },
  });
  source = new AudioWorkletNode(context, "microphone");
  source.port.onmessage = ({ data }) => {
    sentMs += (data.length * 1000) / RATE;
    clock.push([sentMs, performance.now()]);
    if (clock.length > 500) clock.shift();
    send({ type: "input_audio_buffer.append", audio: toBase64(new Uint8Array(data.buffer)) });
  };
  context.createMediaStreamSource(stream).connect(source);
  $("status").textContent = "listening";
  $("talk").textContent = "Stop";
  $("talk").className = "stop";
  $("write").querySelector("button").disabled = false;
}

function stop(why) {
  socket && (socket.onclose = null);
  socket?.close();
  stream?.getTracks().forEach((track) => track.stop());
  context?.close();
  socket = context = stream = heard = turn = null;
  playing = [];
  playAt = sentMs = 0;
  clock.length = 0;
  $("status").textContent = why;
  $("talk").textContent = "Talk";
  $("talk").className = "";
  $("write").querySelector("button").disabled = true;
}

$("setup").addEventListener("submit", async (submit) => {
  submit.preventDefault();
  if (socket) return stop("not connected");
  try {
    await start();
  } catch (error) {
    stop(error.message);
  }
});

$("write").addEventListener("submit", (submit) => {
  submit.preventDefault();
  const text = $("text").value.trim();
  if (!text) return;
  if (active) send({ type: "response.cancel" });
  interrupt();
  const id = `item_${crypto.randomUUID().replaceAll("-", "").slice(0, 20)}`;
  bubble(id, "user").textContent = text;
  send({ type: "conversation.item.create", item: { id, type: "message", role: "user", content: [{ type: "input_text", text }] } });
  send({ type: "response.create" });
  $("text").value = "";
});
