/**
 * Plots as SVG: curves of points with names, and bars. Which figures they show is in plots.mjs. Colours are readable on light and dark pages.
 */
import { escaped } from '../scripts/escaped.mjs';

const TEXT = '#768390';
const GRID = '#76839040';
const COLOURS = ['#3b82f6', '#f97316', '#22a06b', '#a855f7'];
const FONT = 'font-family="system-ui,sans-serif" font-size="13"';

/**
 * @typedef {{ name: string, points: { x: number, y: number, name?: string }[] }} Series points that a line joins in the order of x
 * @typedef {{ title: string, x: string, y: string, series: Series[], lines?: { name: string, y: number }[] }} Panel `lines`: levels to compare with
 */

/** Panels side by side. @param {Panel[]} panels */
export function curves(title, panels, { width = 380, height = 300 } = {}) {
  return svg(
    title,
    width * panels.length,
    height,
    panels.map((panel, i) => `<g transform="translate(${i * width})">${curve(panel, width, height)}</g>`),
  );
}

function curve({ title, x, y, series, lines = [] }, width, height) {
  const [left, right, top, bottom] = [52, width - 24, 56, height - 48];
  const points = series.flatMap((one) => one.points);
  const across = scale(
    points.map((point) => point.x),
    left,
    right,
  );
  const up = scale([...points.map((point) => point.y), ...lines.map((line) => line.y)], bottom, top);
  const parts = [text((left + right) / 2, 20, title, 'middle', 'font-weight="600"')];
  for (const tick of across.ticks) {
    parts.push(
      path(`M${across.at(tick)} ${bottom}V${top}`, GRID),
      text(across.at(tick), bottom + 18, tick, 'middle'),
    );
  }
  for (const tick of up.ticks) {
    parts.push(path(`M${left} ${up.at(tick)}H${right}`, GRID), text(left - 6, up.at(tick) + 4, tick, 'end'));
  }
  parts.push(text((left + right) / 2, height - 10, x, 'middle'), text(left - 44, top - 12, y, 'start'));
  const legend = [];
  for (const { name, y: at } of lines) {
    const dashes = 'stroke-dasharray="5 4"';
    parts.push(path(`M${left} ${up.at(at)}H${right}`, TEXT, dashes));
    legend.push({ name, colour: TEXT, more: dashes });
  }
  series.forEach(({ name, points: own }, i) => {
    const colour = COLOURS[i];
    const sorted = own.toSorted((a, b) => a.x - b.x);
    const places = sorted.map((point) => `${across.at(point.x)} ${up.at(point.y)}`);
    parts.push(path(`M${places.join('L')}`, colour, 'stroke-width="2"'));
    for (const point of sorted) {
      const [cx, cy] = [across.at(point.x), up.at(point.y)];
      parts.push(`<circle cx="${cx}" cy="${cy}" r="4" fill="${colour}"/>`);
      if (point.name) parts.push(text(cx, cy - 10, point.name, 'middle'));
    }
    legend.push({ name, colour, more: 'stroke-width="2"' });
  });
  legend.forEach(({ name, colour, more }, i) => {
    const y = top + 12 + 18 * i;
    parts.push(path(`M${right - 24} ${y - 4}H${right}`, colour, more), text(right - 30, y, name, 'end'));
  });
  return parts.join('\n');
}

/** Horizontal bars, the shortest first. @param {{ name: string, value: number, ours?: boolean }[]} rows */
export function bars(title, unit, rows, { width = 760 } = {}) {
  const [left, right, step] = [250, width - 90, 34];
  const sorted = rows.toSorted((a, b) => a.value - b.value);
  const most = sorted.at(-1).value;
  const parts = sorted.map(({ name, value, ours }, i) => {
    const y = 44 + i * step;
    const length = Math.max(2, ((right - left) * value) / most);
    return [
      text(left - 10, y + 16, name, 'end'),
      `<rect x="${left}" y="${y}" width="${length.toFixed(1)}" height="22" rx="3" fill="${ours ? COLOURS[0] : TEXT}"/>`,
      text(left + length + 8, y + 16, `${rounded(value)} ${unit}`, 'start'),
    ].join('\n');
  });
  const height = 44 + rows.length * step + 10;
  return svg(title, width, height, [text(width / 2, 22, title, 'middle', 'font-weight="600"'), ...parts]);
}

/** Round ticks, and the place of a value between `from` and `to`. */
function scale(values, from, to) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const rough = (high - low || Math.abs(high) || 1) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((size) => size >= rough);
  const first = Math.floor(low / step - 0.2);
  const last = Math.ceil(high / step + 0.2);
  const at = (value) => Number((from + ((value / step - first) / (last - first)) * (to - from)).toFixed(1));
  const ticks = Array.from({ length: last - first + 1 }, (_, i) =>
    Number(((first + i) * step).toPrecision(6)),
  );
  return { ticks, at };
}

function rounded(value) {
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(2);
}

function text(x, y, content, anchor, more = '') {
  const colour = more.includes('fill=') ? '' : `fill="${TEXT}" `;
  return `<text x="${Number(x.toFixed(1))}" y="${Number(y.toFixed(1))}" text-anchor="${anchor}" ${colour}${more}>${escaped(String(content))}</text>`;
}

function path(d, colour, more = '') {
  return `<path d="${d}" fill="none" stroke="${colour}" ${more}/>`;
}

function svg(title, width, height, parts) {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(title)}" ${FONT}>\n${parts.join('\n')}\n</svg>\n`;
}
