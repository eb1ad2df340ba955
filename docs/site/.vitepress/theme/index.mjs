/** VitePress's own theme with more room: the tables of names are wide. */
import DefaultTheme from 'vitepress/theme';
import './wide.css';

export default DefaultTheme;
