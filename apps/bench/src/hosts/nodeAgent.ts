import { openers } from '../systems/openers.ts'
import { agent } from './agent.ts'
import type { Question } from './protocol.ts'

/** The process of one system: started by `nodeHost`, questions come as messages. */
const answer = agent(openers)
process.on('message', (question: Question) => void answer(question).then((reply) => process.send?.(reply)))
process.on('disconnect', () => process.exit())
// Ctrl-C goes to all processes of a terminal; the parent decides when this one ends.
process.on('SIGINT', () => undefined)
