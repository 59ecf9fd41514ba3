import { vjpNodes } from '@tessella/autograd'
import { gradientConformance } from '@tessella/testing/conformance'

gradientConformance({ vjp: (output, inputs, seed) => vjpNodes([output], [seed], inputs) })
