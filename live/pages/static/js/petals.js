/**
 * Hearts: petals that rise over the picture. Who prefers less motion sees only the count.
 */
import { icon } from "./dom.js";

const AT_ONCE_MAX = 40;
const BURST_MAX = 12;
const HUES = [344, 350, 356, 8, 18];
const calm = matchMedia("(prefers-reduced-motion: reduce)");

/**
 * Let petals rise in a place that clips them.
 * @param {HTMLElement} place
 * @param {number} count
 */
export function petals(place, count) {
  if (calm.matches || document.hidden) return;
  const room = AT_ONCE_MAX - place.childElementCount;
  for (let i = 0; i < Math.min(count, BURST_MAX, room); i += 1) rise(place, i * 90 * Math.random());
}

function rise(place, delay_ms) {
  const petal = icon("petal");
  petal.setAttribute("class", "petal");
  petal.style.color = `hsl(${HUES[Math.floor(Math.random() * HUES.length)]} 90% ${72 + Math.random() * 14}%)`;
  place.append(petal);
  const sway = (Math.random() - 0.5) * 90;
  const turn = (Math.random() - 0.5) * 260;
  const height = place.clientHeight * (0.55 + Math.random() * 0.35);
  const size = 0.7 + Math.random() * 0.7;
  const frames = [
    { transform: `translate(0, 0) rotate(0deg) scale(${size * 0.4})`, opacity: 0 },
    { transform: `translate(${sway * 0.5}px, ${-height * 0.2}px) rotate(${turn * 0.3}deg) scale(${size})`, opacity: 1, offset: 0.18 },
    { transform: `translate(${-sway * 0.6}px, ${-height * 0.65}px) rotate(${turn * 0.7}deg) scale(${size})`, opacity: 0.9, offset: 0.65 },
    { transform: `translate(${sway}px, ${-height}px) rotate(${turn}deg) scale(${size * 0.9})`, opacity: 0 },
  ];
  petal.animate(frames, { duration: 2200 + Math.random() * 1400, delay: delay_ms, easing: "ease-out", fill: "both" })
    .finished.then(() => petal.remove(), () => petal.remove());
}
