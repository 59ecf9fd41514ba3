import { html, type Markup } from './html.ts'

/** A whole page that needs nothing else: its style inside, no script, no request. */
export const document = (title: string, style: string, body: Markup): string => `<!doctype html>
${
  html`<html lang="en"><head><meta charset="utf-8"><title>${title}</title><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'"><style>${{ markup: style }}</style></head><body><main>${body}</main></body></html>`
    .markup
}
`

/** A part of a page: what it shows, a sentence on it, and the thing itself. */
export const section = (title: string, lede: string | Markup, body: Markup): Markup =>
  html`<section class="part"><h2>${title}</h2><p class="lede">${lede}</p>${body}</section>`
