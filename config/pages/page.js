// Keeps the page's appointments with the waiting room, and enters when the turn has come.
// Comments stand on lines of their own: they and the indentation are taken out on loading.
(() => {
'use strict';
const main = document.querySelector('main');
const data = main.dataset;
const sections = [...main.querySelectorAll('section')];
const live = document.getElementById('live');
const each = (selector, act) => main.querySelectorAll(selector).forEach(act);
const form = 'form' in data;
const busy = 'retry' in data;

let state = data.state;
let least = data.ahead ? Number(data.ahead) : Infinity;
let auto = true;
let asking = false;
let failures = 0;
let due = 0;
let spoken = 0;
let timer;
let leaving;

// The browser may forbid storage; the page works without.
const memory = (key, value) => {
  try {
    if (value !== undefined) sessionStorage.setItem('forebay-' + key, value);
    return sessionStorage.getItem('forebay-' + key);
  } catch (e) {
    return null;
  }
};

const say = (text) => {
  live.replaceChildren(...sections.map((section) => {
    const span = document.createElement('span');
    span.lang = section.lang;
    span.textContent = text(section) + ' ';
    return span;
  }));
  spoken = Date.now();
};

// Says first that it leaves, so that nobody is surprised; a tab that nobody sees stays.
const enter = () => {
  if (state !== 'called' || !auto || form || leaving || (document.hidden && !busy)) return;
  if (!busy) {
    each('[data-leaving]', (note) => { note.hidden = false; });
    say((section) => section.querySelector('[data-leaving]').textContent);
  }
  leaving = setTimeout(() => location.reload(), busy ? data.retry * (750 + 500 * Math.random()) : 3000);
};

const clock = (minutes) => {
  if (minutes < 60) return minutes + '\u00a0min';
  const fives = Math.round(minutes / 5) * 5;
  return Math.floor(fives / 60) + '\u00a0h' + (fives % 60 ? '\u00a0' + fives % 60 + '\u00a0min' : '');
};

const wait = (eta, text) => {
  if (!eta) return text.unknown;
  if (eta.p90 < 60) return text.soon;
  const low = Math.max(1, Math.round(eta.p50 / 60));
  const high = Math.max(low, Math.ceil(eta.p90 / 60));
  const [from, to] = [clock(low), clock(high)];
  return from === to ? to : high < 60 ? low + '–' + to : from + ' – ' + to;
};

// How far since the first number that this tab showed for this ticket.
const progress = () => {
  const first = Math.max(least, Number(memory(data.reference)) || 0);
  memory(data.reference, first);
  each('progress', (bar) => {
    bar.hidden = least >= first;
    if (!bar.hidden) bar.value = 1 - least / first;
  });
};

const show = (answer) => {
  const before = state;
  state = data.state = answer.state === 'open' ? 'called' : answer.state;
  // What has been shown never goes up.
  if (typeof answer.ahead === 'number') least = Math.min(least, answer.ahead);
  const known = least < Infinity;
  if (known) data.ahead = least;
  each('[data-in]', (part) => {
    part.hidden = !part.dataset.in.split(' ').includes(state);
  });
  document.title = sections.map((section) => {
    const text = section.dataset;
    const number = known ? new Intl.NumberFormat(section.lang).format(least) : '';
    section.querySelector('[data-n]').textContent = number || text.unknown;
    section.querySelector('[data-wait]').textContent = wait(answer.eta_seconds, text);
    if (state === 'called') return text.turn;
    return (number && text.ahead.replace('%', number) + ' – ') + text.title;
  }).join(' / ') + (data.site && ' – ' + data.site);
  if (known) progress();
  if (state !== before || Date.now() - spoken > 60000) {
    say((section) => [...section.querySelectorAll('h1:not([hidden]), div:not([hidden]) > dl > div')]
      .map((part) => [...part.childNodes].map((node) => node.textContent).join(': ')).join('. '));
  }
  enter();
};

const plan = (seconds) => {
  clearTimeout(timer);
  due = Date.now() + seconds * 1000;
  timer = setTimeout(ask, seconds * 1000);
};

const trouble = (is) => each('[data-trouble]', (note) => { note.hidden = !is; });

const ask = () => {
  if (asking) return;
  asking = true;
  const cut = new AbortController();
  const bound = setTimeout(() => cut.abort(), 60000);
  fetch(data.status + (document.hidden ? '&hidden=1' : ''), {
    cache: 'no-store',
    headers: { accept: 'application/json' },
    signal: cut.signal,
  }).then((answer) => {
    // No such room any more: nobody need wait.
    if (answer.status === 404) return { state: 'open', poll_after_seconds: 30 };
    return answer.ok ? answer.json() : Promise.reject(answer.headers.get('retry-after'));
  }).then((answer) => {
    failures = 0;
    trouble(false);
    show(answer);
    const seconds = Math.max(1, answer.poll_after_seconds || 5);
    plan(state === 'called' && document.hidden ? Math.max(20, seconds) : seconds * (1 - Math.random() / 20));
  }).catch((after) => {
    failures += 1;
    trouble(failures > 1);
    plan(Math.max(Number(after) || 0, Math.min(60, 2 ** failures)) * (1 + Math.random() / 2));
  }).finally(() => {
    clearTimeout(bound);
    asking = false;
  });
};

const choose = (on) => {
  auto = on;
  memory('auto', on ? 1 : 0);
  each('input', (box) => { box.checked = on; });
  clearTimeout(leaving);
  leaving = 0;
  each('[data-leaving]', (note) => { note.hidden = true; });
  enter();
};

each('[data-js]', (part) => { part.hidden = false; });
each('input', (box) => box.addEventListener('change', () => choose(box.checked)));
each('button', (button) => button.addEventListener('click', () => location.reload()));
if (memory('auto') === '0') choose(false);

if (busy) {
  enter();
} else {
  if (least < Infinity) progress();
  // The second contact makes the place count: within 1.5 s of the first.
  plan('counting' in data ? .3 + Math.random() : Math.max(1, Number(data.poll)));
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) return;
    if (Date.now() > due) ask();
    enter();
  });
}
})();
