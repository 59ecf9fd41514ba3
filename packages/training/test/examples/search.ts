import { bestTrial, type Configuration, choice, logUniformIn, successiveHalving, type Trial } from '@tessella/training'

const space = { rate: logUniformIn(1e-4, 1), size: choice([32, 64, 128]) }
const history: Trial<Configuration<typeof space>>[] = [] // or what an earlier run saved as JSON
const search = successiveHalving({
  space,
  trials: 9,
  budget: 2, // epochs at first, three times as many for the best third
  seed: 1,
  history,
  evaluate: async ({ rate }, { budget }) => Math.abs(Math.log10(rate) + 2) / budget, // train, then measure on the validation set
})
for await (const trial of search) history.push(trial)
console.log(history.length, bestTrial(history).budget) //=> 13 18
