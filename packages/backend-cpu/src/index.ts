export { type ConvPrecision, CpuBackend, type CpuOptions, cpu } from './backend.ts'
