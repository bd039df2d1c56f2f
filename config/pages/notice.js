// Tells a visitor who asked for it that the turn has come: by a sound, by a notification, or by both.
(() => {
'use strict';
const main = document.querySelector('main');
const wishes = {};
let told;
let loud;

// The browser may forbid storage; the wish then lasts as long as the page.
const memory = (key, value) => {
  try {
    if (value !== undefined) sessionStorage.setItem('forebay-' + key, value);
    return sessionStorage.getItem('forebay-' + key);
  } catch (e) {
    return null;
  }
};

// Three soft tones. A browser plays them after a click only: the one that asked for them.
const ring = () => {
  if (!loud) {
    loud = new AudioContext().createGain();
    loud.gain.value = .2;
    loud.connect(loud.context.destination);
  }
  [0, .3, .6].forEach((after) => {
    const tone = loud.context.createOscillator();
    const from = loud.context.currentTime + after;
    tone.frequency.value = 520 + 400 * after;
    tone.connect(loud);
    tone.start(from);
    tone.stop(from + .25);
  });
};

const boxes = (name) => [...main.querySelectorAll('[name=' + name + ']')];

const wish = (name, on) => {
  wishes[name] = on;
  memory(name, on ? 1 : 0);
  boxes(name).forEach((box) => { box.checked = on; });
};

// Again when the page is shown: browsers put back boxes as they were left.
const restore = () => ['sound', 'notice'].forEach((name) => wish(name, memory(name) === '1'));

restore();
addEventListener('pageshow', restore);
boxes('sound').forEach((box) => box.addEventListener('change', () => {
  wish('sound', box.checked);
  if (box.checked) ring();
}));
boxes('notice').forEach((box) => {
  // Browsers know notifications on secure pages only.
  box.parentNode.hidden = !isSecureContext || !window.Notification;
  box.addEventListener('change', () => {
    wish('notice', box.checked);
    if (box.checked) Notification.requestPermission().then((answer) => wish('notice', answer === 'granted'));
  });
});

// Once, and only as far as it was asked for. A phone may refuse either.
main.addEventListener('turn', () => {
  if (told) return;
  told = true;
  try {
    if (wishes.sound) ring();
    if (wishes.notice && document.hidden) {
      new Notification(document.title, { tag: main.dataset.reference }).onclick = () => focus();
    }
  } catch (e) {
    return;
  }
});
})();
