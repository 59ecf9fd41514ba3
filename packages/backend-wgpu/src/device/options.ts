import type { MatmulPrecision } from './precision.ts'

/** How {@link wgpu} chooses and sets up a device. */
export interface WgpuOptions {
  /** A part of the adapter's name, as it is written there, where there are several. */
  readonly adapter?: string
  /** Which card a machine with two should use. Default 'high-performance'. */
  readonly power?: 'high-performance' | 'low-power'
  /** Dawn's toggles, in Node: those to enable and, with a minus in front, those to disable ('-use_user_defined_labels_in_backend'). */
  readonly toggles?: readonly string[]
  /** Keeps the checks of shaders that generated kernels do not need (Node; browsers always keep them). Default false. */
  readonly safe?: boolean
  /**
   * How products of matrices and convolutions may be computed: 'highest' (the default) in float32; 'high' and 'medium'
   * from two or one float16 an operand, where the device can. What exceeds 65504 becomes infinite then.
   */
  readonly precision?: MatmulPrecision
  /** Most bytes to take from the device; a run that needs more throws 'out-of-memory'. Default: what the device has. */
  readonly memoryLimit?: number
}

/** Float16 on NVIDIA under Vulkan. */
const half = 'vulkan_enable_f16_on_nvidia'

/**
 * What Node gets without `safe`: float16 everywhere, no bounds checks and no zero fill. Kernels stay in bounds and write
 * before they read by construction; the tests run with and without.
 */
const fast = [half, 'disable_robustness', 'disable_workgroup_init', '-lazy_clear_resource_on_first_use']

/** What a lower precision needs: float16, and matrices of subgroups, which Dawn has among its experiments. */
const mixed = [half, 'allow_unsafe_apis']

/** Flags for Dawn's `create`. */
export function dawnFlags(options: WgpuOptions): string[] {
  const { safe = false, precision = 'highest' } = options
  const own = [...(safe ? [] : fast), ...(precision === 'highest' ? [] : mixed)]
  const toggles = [...new Set([...own, ...(options.toggles ?? [])])]
  const enabled = toggles.filter((t) => !t.startsWith('-'))
  const disabled = toggles.filter((t) => t.startsWith('-')).map((t) => t.slice(1))
  return [
    ...(enabled.length > 0 ? [`enable-dawn-features=${enabled.join(',')}`] : []),
    ...(disabled.length > 0 ? [`disable-dawn-features=${disabled.join(',')}`] : []),
    ...(options.adapter === undefined ? [] : [`adapter=${options.adapter}`]),
  ]
}
