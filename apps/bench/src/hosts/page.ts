import { openers } from '../systems/openers.ts'
import { agent } from './agent.ts'
import type { Question } from './protocol.ts'

/** What runs in the browser: fetches questions about one system and sends the answers back, until nobody asks. */
async function serve(): Promise<void> {
  const answer = agent(openers)
  const page = new URL(location.href).searchParams.get('page') ?? ''
  const log = document.querySelector('#log')
  for (;;) {
    const question = (await (await fetch(`/question?page=${page}`)).json()) as Question
    if (log) log.textContent = JSON.stringify(question).slice(0, 200)
    const reply = await answer(question)
    await fetch(`/reply?page=${page}`, { method: 'POST', body: JSON.stringify(reply) })
  }
}

await serve()
