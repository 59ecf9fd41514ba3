/** HTML or SVG that is ready to be put in a page. Only {@link html} makes it, so text cannot slip in unescaped. */
export interface Markup {
  readonly markup: string
}

/** What {@link html} takes between its pieces: text is escaped, markup is not, lists are joined, nothing is nothing. */
export type Part = Markup | string | number | false | undefined | readonly Part[]

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Text made safe for content and for quoted attributes. */
export const escapeText = (text: string): string => text.replace(/[&<>"']/g, (c) => entities[c] as string)

function print(part: Part): string {
  if (part === undefined || part === false) return ''
  if (typeof part === 'string') return escapeText(part)
  if (typeof part === 'number') return String(part)
  return 'markup' in part ? part.markup : part.map(print).join('')
}

/**
 * A template of HTML or SVG.
 *
 * @example
 * html`<td title="${'<b>'}">${[1, 2].map((n) => html`<i>${n}</i>`)}</td>`.markup // <td title="&lt;b&gt;"><i>1</i><i>2</i></td>
 */
export function html(pieces: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return { markup: pieces.reduce((text, piece, i) => text + print(parts[i - 1]) + piece) }
}

/** A coordinate with at most one decimal, so that paths stay short. */
export const px = (x: number): number => Math.round(x * 10) / 10
