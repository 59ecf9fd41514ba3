import type { Openers } from '../hosts/agent.ts'

/** Every system that runs in JavaScript; each is loaded when it is opened, so that one that is missing disturbs nobody. */
export const openers: Openers = {
  reference: async (o) => (await import('./ours.ts')).openReference(o),
  oracle: async (o) => (await import('./ours.ts')).openOracle(o),
  cpu: async (o) => (await import('./ours.ts')).openCpu(o),
  'cpu-wide': async (o) => (await import('./ours.ts')).openCpuWide(o),
  wgpu: async (o) => (await import('./ours.ts')).openWgpu(o),
  'tfjs-cpu': async (o) => (await import('./tfjs.ts')).openTfjs('cpu', o),
  'tfjs-wasm': async (o) => (await import('./tfjs.ts')).openTfjs('wasm', o),
  'jax-js': async (o) => (await import('./jax.ts')).openJax(o),
  'ort-node': async (o) => (await import('./ort.ts')).openOrt(o),
}
