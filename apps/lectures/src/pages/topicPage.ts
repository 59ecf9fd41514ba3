import { document, section } from '../report/document.ts'
import { html, type Markup } from '../report/html.ts'
import { topicStyle } from './style.ts'
import type { Claim, Page, Topic } from './topic.ts'

/** How a page was made: pairs of a name and a value. */
export type Facts = readonly (readonly [string, string | Markup])[]

const claimRow = (c: Claim): Markup =>
  html`<div class="${c.agrees ? 'agrees' : 'differs'}"><span>${c.said} <small>(${c.row})</small></span><span><b>${c.measured}</b>${c.remark !== undefined && html`<br><small>${c.remark}</small>`}</span><span class="verdict">${c.agrees ? '✓ as said' : '≠ differs'}</span></div>`

const factList = (facts: Facts): Markup =>
  html`<dl class="facts">${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`

/** A topic's page: the result, its picture, what the lectures say beside what was measured, then the parts. */
export function renderTopic(topic: Topic, page: Page, facts: Facts, warning?: string): string {
  const body = html`<header><p class="eyebrow"><a href="index.html">Tessella</a> <span aria-hidden="true">◆</span> the lectures in code</p><h1>${topic.title}</h1><p class="found">${page.found}</p>${
    warning !== undefined && html`<p class="notice" role="note">${warning}</p>`
  }</header><figure class="hero"><div class="card">${page.picture}</div><figcaption>${page.caption}</figcaption></figure>${section(
    'Said and measured',
    'What the lectures say, and what this run measured.',
    html`<div class="card claims">${page.claims.map(claimRow)}</div>`,
  )}${page.sections.map((s) => section(s.title, s.lede, html`<div class="body">${s.body}</div>`))}${section(
    'How it was made',
    'Run the command to get this page again.',
    factList(facts),
  )}`
  return document(`${topic.title} - Tessella`, topicStyle, body)
}
