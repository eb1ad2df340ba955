/** Light or dark, and the size of the text: kept in this browser. */
import { byId } from './elements.js';

const THEMES = ['auto', 'light', 'dark'] as const;
type Theme = (typeof THEMES)[number];
const NAMES: Record<Theme, string> = { auto: 'as the system', light: 'light', dark: 'dark' };

/** Binds the theme's button and the text size's slider, and restores what was chosen. */
export function bindAppearance(): void {
  const button = byId<HTMLButtonElement>('theme');
  const size = byId<HTMLInputElement>('size');
  const stored = read('theme');
  let theme: Theme = THEMES.find((name) => name === stored) ?? 'auto';
  const show = () => {
    document.documentElement.dataset.theme = theme;
    button.setAttribute('aria-label', `Colours: ${NAMES[theme]}`);
    button.title = `Colours: ${NAMES[theme]}`;
  };
  button.addEventListener('click', () => {
    theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] as Theme;
    write('theme', theme);
    show();
  });
  const resize = () => {
    document.documentElement.style.setProperty('--scale', size.value);
    write('size', size.value);
  };
  size.value = read('size') ?? size.value;
  size.addEventListener('input', resize);
  resize();
  show();
}

/** Browsers may refuse storage. */
function read(name: string): string | null {
  try {
    return localStorage.getItem(`parakeet.${name}`);
  } catch {
    return null;
  }
}

function write(name: string, value: string): void {
  try {
    localStorage.setItem(`parakeet.${name}`, value);
  } catch {
    // Then it lasts until the page is left.
  }
}
