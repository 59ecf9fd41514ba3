import type { Node } from '@tessella/ir'
import type { GradInput } from '../../gradcheck.ts'

/** One function whose gradient is compared with central differences. */
export interface GradCase {
  readonly name: string
  /** As many nodes come as there are inputs. */
  readonly fn: (inputs: readonly [Node, Node, Node]) => Node
  readonly inputs: readonly GradInput[]
}
