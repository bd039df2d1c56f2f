// Keeps the page's appointments with the waiting room, and enters when the turn has come.
// Comments stand on lines of their own: they and all needless space are taken out on loading.
(() => {
'use strict';
const main = document.querySelector('main');
const data = main.dataset;
const all = (selector) => [...main.querySelectorAll(selector)];
const sections = all('section');
const live = document.getElementById('live') || document.createElement('p');
const form = 'form' in data;
const busy = 'retry' in data;

let state = data.state;
let least = data.ahead ? +data.ahead : Infinity;
let failures = 0;
let due = 0;
let spoken = 0;
let cut;
let again;
let timer;
let leaving;
let auto;

// The browser may forbid storage; the page works without.
const memory = (key, value) => {
  try {
    if (value !== undefined) sessionStorage.setItem('forebay-' + key, value);
    return sessionStorage.getItem('forebay-' + key);
  } catch (e) {
    return null;
  }
};

const show = (selector, is) => all(selector).forEach((part) => { part.hidden = !is; });

const seen = (section, selector) => [...section.querySelectorAll(selector)].filter((part) => part.offsetHeight);

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
    show('[data-leaving]', 1);
    say((section) => section.querySelector('[data-leaving]').textContent);
  }
  leaving = setTimeout(() => location.reload(), busy ? data.retry * (750 + 500 * Math.random()) : 3000);
};

const clock = (minutes, text) => {
  if (minutes < 60) return minutes + text.min;
  const fives = Math.round(minutes / 5) * 5;
  return Math.floor(fives / 60) + text.h + (fives % 60 ? '\u00a0' + fives % 60 + text.min : '');
};

const wait = (eta, text) => {
  if (!eta) return text.unknown;
  if (eta.p90 < 60) return text.soon;
  const low = Math.max(1, Math.round(eta.p50 / 60));
  const high = Math.max(low, Math.ceil(eta.p90 / 60));
  const [from, to] = [clock(low, text), clock(high, text)];
  return from === to ? to : high < 60 ? low + '–' + to : from + ' – ' + to;
};

// How far since the first number that this tab showed for this ticket.
const progress = () => {
  const first = Math.max(least, memory(data.reference) || 0);
  memory(data.reference, first);
  all('progress').forEach((bar) => {
    bar.hidden = least >= first;
    if (!bar.hidden) bar.value = 1 - least / first;
  });
};

const update = (answer) => {
  const before = state;
  const opens = answer.opens_in_seconds;
  const whole = opens < 60 ? opens : Math.ceil(opens / 60) * 60;
  state = data.state = opens > 0 && 'early' in data ? 'early' : answer.state === 'open' ? 'called' : answer.state;
  // What has been shown never goes up.
  if (answer.ahead != null) least = Math.min(least, answer.ahead);
  const known = least < Infinity;
  if (known) data.ahead = least;
  document.title = sections.map((section) => {
    const text = section.dataset;
    const put = (selector, words) => section.querySelectorAll(selector).forEach((part) => { part.textContent = words; });
    const number = known ? new Intl.NumberFormat(section.lang + '-u-nu-latn', { useGrouping: 'always' }).format(least) : '';
    put('[data-n]', number || text.none || text.unknown);
    put('[data-wait]', wait(answer.eta_seconds, text));
    put('[data-opens]', wait({ p50: whole, p90: whole }, text));
    return (state === 'queueing' && number ? text.ahead.replace('%', number) + ' – ' : '') + seen(section, 'h1')[0].textContent;
  }).join(' / ') + (data.site && ' – ' + data.site);
  if (known) progress();
  if (state !== before || Date.now() - spoken > 60000) {
    say((section) => seen(section, 'h1, dl div')
      .map((part) => [...part.childNodes].map((node) => node.textContent).join(': ')).join('. '));
  }
  if (state === 'called') main.dispatchEvent(new Event('turn'));
  enter();
};

const plan = (seconds) => {
  clearTimeout(timer);
  due = Date.now() + seconds * 1000;
  timer = setTimeout(ask, seconds * 1000);
};

const ask = () => {
  if (cut || leaving) return;
  cut = new AbortController();
  const bound = setTimeout(() => cut.abort(), 60000);
  // It may be held for the last seconds of a wait, and longer while nobody looks.
  fetch(data.status + '&wait=1' + (document.hidden ? '&hidden=1' : ''), {
    cache: 'no-store',
    headers: { accept: 'application/json' },
    signal: cut.signal,
  }).then((answer) => {
    // No such room any more: nobody need wait.
    if (answer.status === 404) return { 'state': 'open', poll_after_seconds: 30 };
    return answer.ok ? answer.json() : Promise.reject(answer.headers.get('retry-after'));
  }).then((answer) => {
    failures = 0;
    show('[data-trouble]', 0);
    update(answer);
    const seconds = Math.max(1, answer.poll_after_seconds || 5);
    plan(state === 'called' && document.hidden ? Math.max(20, seconds) : seconds * (1 - Math.random() / 20));
  }).catch((after) => {
    if (again) return plan(0);
    failures += 1;
    show('[data-trouble]', failures > 1);
    plan(Math.max(+after || 0, Math.min(60, 2 ** failures)) * (1 + Math.random() / 2));
  }).finally(() => {
    clearTimeout(bound);
    cut = again = 0;
  });
};

const wish = (on) => {
  auto = on;
  memory('auto', on ? 1 : 0);
  all('[name=auto]').forEach((box) => { box.checked = on; });
};

// Again when the page is shown: browsers put back boxes as they were left.
const restore = () => wish(memory('auto') !== '0');

show('[data-js]', 1);
restore();
addEventListener('pageshow', restore);
all('[name=auto]').forEach((box) => box.addEventListener('change', () => {
  wish(box.checked);
  clearTimeout(leaving);
  leaving = 0;
  show('[data-leaving]', 0);
  enter();
}));
all('button').forEach((button) => button.addEventListener('click', () => location.reload()));

if (busy) {
  enter();
} else {
  if (least < Infinity) progress();
  // The second contact makes the place count: within 1.5 s of the first.
  plan('counting' in data ? .3 + Math.random() : Math.max(1, data.poll));
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) return;
    // What is held for somebody who did not look is asked anew.
    if (cut) {
      again = 1;
      cut.abort();
    } else if (Date.now() > due) {
      ask();
    }
    enter();
  });
}
})();
