/**
 * Screens of a terminal as a moving picture, an SVG without a script: all screens lie below one another on a strip, which jumps from one to the
 * next. Where motion is unwanted it stands on the last one. Where the screens come from is not its concern.
 */
import { escaped } from './escaped.mjs';

const ROW = 21;
const COLUMN = 8.43;
const MARGIN = 18;
const BAR = 34;

/**
 * @typedef {{ text: string, dim: boolean, bold: boolean }} Run characters of one kind
 * @typedef {{ at: number, rows: Run[][] }} Screen what is to be seen from second `at` on
 */

/**
 * @param {Screen[]} screens in the order of time
 * @param {{ columns: number, rows: number, title: string, seconds: number }} size `seconds`: when it begins again
 */
export function terminalFilm(screens, { columns, rows, title, seconds }) {
  const width = Math.ceil(2 * MARGIN + columns * COLUMN);
  const inside = MARGIN + rows * ROW;
  const steps = screens
    .map(({ at }, i) => `${percent(at / seconds)}{transform:translateY(${-i * inside}px)}`)
    .join('');
  const strip = screens.map(({ rows: lines }, i) => `<g>${lines.map(line(i * inside)).join('')}</g>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${BAR + inside}" role="img" aria-label="${escaped(title)}">
<style>
text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:#e6edf3;white-space:pre}
.d{fill:#7d8590}.b{font-weight:700}
.strip{transform:translateY(${-(screens.length - 1) * inside}px);animation:run ${seconds}s step-end infinite}
@keyframes run{${steps}}
@media (prefers-reduced-motion:reduce){.strip{animation:none}}
</style>
<rect width="${width}" height="${BAR + inside}" rx="9" fill="#0d1117"/>
<circle cx="20" cy="17" r="6" fill="#3d444d"/><circle cx="40" cy="17" r="6" fill="#3d444d"/><circle cx="60" cy="17" r="6" fill="#3d444d"/>
<text x="${width / 2}" y="22" text-anchor="middle" class="d">${escaped(title)}</text>
<svg y="${BAR}" width="${width}" height="${inside}"><g class="strip">
${strip.join('\n')}
</g></svg>
</svg>
`;
}

/** A row of the screen that begins at `top`. `textLength` keeps the columns where a font is wider or narrower. */
function line(top) {
  return (runs, row) => {
    const length = runs.reduce((sum, { text }) => sum + [...text].length, 0);
    if (length === 0) return '';
    const spans = runs.map(({ text, dim, bold }) => {
      const kind = [dim && 'd', bold && 'b'].filter(Boolean).join(' ');
      return kind ? `<tspan class="${kind}">${escaped(text)}</tspan>` : escaped(text);
    });
    const place = `x="${MARGIN}" y="${top + MARGIN + row * ROW}"`;
    return `<text ${place} textLength="${(length * COLUMN).toFixed(1)}">${spans.join('')}</text>`;
  };
}

function percent(share) {
  return `${(100 * share).toFixed(2)}%`;
}
