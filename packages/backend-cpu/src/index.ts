export { CpuBackend, type CpuOptions, cpu } from './backend.ts'
