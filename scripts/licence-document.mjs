/** How licences of third parties are written down: a list, then each text once, since most share a few. */

/**
 * @param {readonly { name: string, version?: string, licence: string, text: string }[]} all
 * @param {string} what they are the licences of
 */
export function licenceDocument(all, what) {
  const lines = all.map(
    ({ name, version, licence }) => `${[name, version].filter(Boolean).join(' ')}: ${licence}`,
  );
  const texts = new Map();
  for (const { name, text } of all) texts.set(text, (texts.get(text) ?? new Set()).add(name));
  const sections = [...texts].map(
    ([text, names]) => `${'-'.repeat(80)}\n${[...names].join(', ')}\n\n${text}\n`,
  );
  return [`The licences of ${what}.\n`, `${[...new Set(lines)].join('\n')}\n`, ...sections].join('\n');
}

/** @param {string} text */
export const tidy = (text) =>
  text
    .replaceAll('\r\n', '\n')
    .replace(/[ \t]+$/gm, '')
    .trim();
