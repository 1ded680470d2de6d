// Keeps a display as the room is: reads its page anew when told so, when its state is to change, and now and then.
const PARTS = [".top", ".middle", ".bottom"]; // what was said of a deed stands between them, and stays for a while
const SAID_MS = 10_000;
const body = document.body;
const said = document.getElementById("said");
let socket, waiting, tries = 0, reading = false, again = false;

async function read() {
  if (reading) { again = true; return; }
  reading = true;
  clearTimeout(waiting);
  try {
    const answer = await fetch(body.dataset.here, { cache: "no-store", signal: AbortSignal.timeout(10_000) });
    if (!answer.ok) throw new Error(answer.status);
    show(new DOMParser().parseFromString(await answer.text(), "text/html"));
    delete body.dataset.lost;
    if (socket?.readyState === WebSocket.OPEN) tries = 0;
  } catch {
    body.dataset.lost = "";
    socket?.close(); // a network that has gone silent leaves it open, and nothing comes over it any more
  }
  reading = false;
  if (again) { again = false; read(); return; }
  const soonest = "lost" in body.dataset ? 10_000 : socket?.readyState === WebSocket.OPEN ? 300_000 : 30_000;
  waiting = setTimeout(read, Math.min(soonest, Number(body.dataset.again) || soonest));
}

function show(page) {
  const focused = document.activeElement?.id;
  for (const part of PARTS) document.querySelector(part).replaceWith(page.querySelector(part));
  if (body.className !== page.body.className) forget();
  body.className = page.body.className;
  for (const name of ["again", "live"]) body.dataset[name] = page.body.dataset[name] ?? "";
  document.title = page.title;
  const words = document.querySelector(".headline").textContent;
  if (said.textContent !== words) said.textContent = words;
  if (focused) document.getElementById(focused)?.focus();
  tick();
}

function forget() {
  document.querySelector(".notice, .alert")?.remove();
}

function tick() {
  const clock = document.querySelector(".clock");
  const format = { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: clock.dataset.zone };
  clock.textContent = new Intl.DateTimeFormat("en", format).format();
}

function listen() {
  if (!body.dataset.live) return;
  socket = new WebSocket(body.dataset.live);
  const ping = setInterval(() => socket.readyState === WebSocket.OPEN && socket.send('{"ping":1}'), 240_000);
  socket.onopen = read;
  socket.onmessage = (event) => { if (JSON.parse(event.data).changed) read(); };
  socket.onclose = () => {
    clearInterval(ping);
    setTimeout(() => read().then(listen), Math.min(60_000, 1_000 * 2 ** tries++) * (0.5 + Math.random()));
  };
}

said.textContent = document.querySelector(".headline").textContent;
addEventListener("online", read);
document.addEventListener("visibilitychange", () => document.hidden || read());
setInterval(tick, 5_000);
setTimeout(forget, SAID_MS);
listen();
waiting = setTimeout(read, 30_000);
