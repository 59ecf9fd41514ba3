/**
 * What must outlive whoever made it: Dawn's instance, which crashes the process when it is collected under a living
 * device, and devices, which must be destroyed before the process leaves with work in flight. One per realm.
 */
const alive: {
  /** By the flags they were made with. */
  readonly instances: Map<string, GPU>
  /** With the adapters they came from. */
  readonly devices: Map<GPUDevice, GPUAdapter>
  hooked: boolean
} = { instances: new Map(), devices: new Map(), hooked: false }

/** The instance with these flags, made once and kept until the process ends. */
export function keptInstance(key: string, make: () => GPU): GPU {
  const instance = alive.instances.get(key) ?? make()
  alive.instances.set(key, instance)
  return instance
}

/** Holds a device until {@link dropDevice}, and destroys it when the process or worker exits. */
export function keepDevice(device: GPUDevice, adapter: GPUAdapter): void {
  alive.devices.set(device, adapter)
  if (alive.hooked || typeof globalThis.process?.on !== 'function') return
  alive.hooked = true
  globalThis.process.on('exit', () => {
    for (const d of alive.devices.keys()) d.destroy()
  })
}

/** Destroys a device and forgets it. */
export function dropDevice(device: GPUDevice): void {
  device.destroy()
  alive.devices.delete(device)
}
