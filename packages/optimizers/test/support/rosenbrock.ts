import { add, type Tensor } from '@tessella/tensor'

/** (1 - x)^2 + 100 (y - x^2)^2 over the two elements of `w`; its minimum is 0 at (1, 1). */
export function rosenbrock(w: Tensor): Tensor {
  const [x, y] = [w.slice(0), w.slice(1)]
  return add(x.sub(1).square(), y.sub(x.square()).square().mul(100))
}
