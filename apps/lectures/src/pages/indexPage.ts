import { document } from '../report/document.ts'
import { html, type Markup } from '../report/html.ts'
import { topicStyle } from './style.ts'
import type { Page, Topic } from './topic.ts'

/** What the index says of one topic; no page when it has not run, a reason when it failed. */
export interface Entry {
  readonly topic: Topic
  readonly page?: Page
  readonly failed?: string
  /** Why it was left out: data that are not here. */
  readonly missing?: string
}

const verdicts = ({ claims }: Page): string => {
  const differing = claims.filter((c) => !c.agrees).length
  return `${claims.length - differing} of ${claims.length} as said`
}

/** Text with what stands between backticks as code. */
const coded = (text: string): readonly (string | Markup)[] =>
  text.split('`').map((part, i) => (i % 2 === 1 ? html`<code>${part}</code>` : part))

function card({ topic, page, failed, missing }: Entry): Markup {
  const rows = topic.rows.map((r) => html`<span class="tag">${r}</span>`)
  if (page === undefined)
    return html`<article class="card"><h2>${topic.title}</h2><p>${topic.about}</p><p>${missing !== undefined ? coded(missing) : failed === undefined ? 'Not run yet.' : `Failed: ${failed}`}</p>${rows}</article>`
  return html`<article class="card"><a href="${topic.name}.html"><div class="thumb" aria-hidden="true">${page.picture}</div><h2>${topic.title}</h2><p>${page.found}</p></a><span class="tag">${verdicts(page)}</span>${rows}</article>`
}

/** The index of all topics, each with its picture in small. */
export function renderIndex(entries: readonly Entry[], report: boolean, warning?: string): string {
  const done = entries.filter((e) => e.page !== undefined)
  const body = html`<header><p class="eyebrow">Tessella <span aria-hidden="true">◆</span> the lectures in code</p><h1>The lectures in code</h1><p class="found">${done.length} of ${entries.length} topics have run. Each page has the formula, the code that ran, its picture, and what was measured beside what the lectures say.${
    report && html` The main experiment has <a href="report.html">a report of its own</a>.`
  }</p>${warning !== undefined && html`<p class="notice" role="note">${warning}</p>`}</header><div class="topics">${entries.map(card)}</div>`
  return document('The lectures in code - Tessella', topicStyle, body)
}
