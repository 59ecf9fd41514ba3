export { jvpNodes, vjpNodes } from './backward.ts'
export { type BinaryPull, type BinaryPulls, binaryDerivatives, type UnaryPull, unaryDerivatives } from './derivative.ts'
export { type Pull, vjpRules } from './vjp.ts'
