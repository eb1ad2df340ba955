/**
 * A document as it is packed: its links lead to what is in the package; others lead to the repository that publishes, or, where none is
 * known, are left as plain text.
 */
import path from 'node:path';

/**
 * @param {string} text
 * @param {string} file the document's path in the package
 * @param {{ files: readonly string[], repository: string | undefined, version: string }} published `files`: what is packed
 */
export function packedDocument(text, file, { files, repository, version }) {
  const isPacked = (target) =>
    files.some((packed) => packed === target || packed.startsWith(`${target.replace(/\/$/, '')}/`));
  const at = (kind, target) => `${repository}/${kind}/v${version}/${target}`;
  // Code blocks stay as they are: they may show a link.
  const parts = text.split(/(^```.*?^```$)/ms);
  return parts
    .map((part) =>
      part.startsWith('```') ? part : part.replace(/(!?)\[((?:[^\][]|\[[^\]]*\])*)\]\(([^)\s]+)\)/g, rewrite),
    )
    .join('');

  function rewrite(whole, image, label, link) {
    const [target, anchor] = link.split('#');
    if (target === '' || /^[a-z]+:/.test(link)) return whole;
    const resolved = path.posix.normalize(path.posix.join(path.posix.dirname(file), target));
    if (isPacked(resolved)) return whole;
    if (repository === undefined) return label;
    return `${image}[${label}](${at(image ? 'raw' : 'blob', resolved)}${anchor === undefined ? '' : `#${anchor}`})`;
  }
}
