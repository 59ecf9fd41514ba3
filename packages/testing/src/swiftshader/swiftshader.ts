import { existsSync } from 'node:fs'
import { chmod, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { constants, tmpdir, userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { brotliDecompress } from 'node:zlib'
import { extract } from 'tar-fs'

const driver = 'libvk_swiftshader.so'
const loader = 'libvulkan.so.1'
/** Of dlopen in Linux; Node names it nowhere. */
const RTLD_NODELETE = 0x1000

/** The package's folder and version; it exports no file of its own but the entry. */
async function chromiumPackage(): Promise<{ folder: string; version: string }> {
  const entry = createRequire(import.meta.url).resolve('@sparticuz/chromium')
  const folder = dirname(dirname(entry))
  const { version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as { version: string }
  return { folder, version }
}

/**
 * The folder with SwiftShader, Vulkan on the processor, and Vulkan's loader, out of the npm package `@sparticuz/chromium`: no system package,
 * no root, Linux on x64. Unpacked once into a folder that all processes of this user share.
 */
async function unpacked(): Promise<string> {
  const { folder, version } = await chromiumPackage()
  const target = join(tmpdir(), `tessella-swiftshader-${version}-${userInfo().uid}`)
  const icd = join(target, 'icd.json')
  if (existsSync(icd)) return target
  const fresh = await mkdtemp(`${target}-`)
  const tar = await promisify(brotliDecompress)(await readFile(join(folder, 'bin', 'swiftshader.tar.br')))
  await pipeline(Readable.from([tar]), extract(fresh))
  const description = {
    file_format_version: '1.0.0',
    ICD: { library_path: join(target, driver), api_version: '1.3.0' },
  }
  await writeFile(join(fresh, 'icd.json'), JSON.stringify(description))
  try {
    await rename(fresh, target)
  } catch (error) {
    // Another process was quicker.
    await rm(fresh, { recursive: true })
    if (!existsSync(icd)) throw error
  }
  return target
}

/** The path of headless Chromium, which finds SwiftShader beside itself. Unpacked when it is first wanted. */
export async function chromiumExecutable(): Promise<string> {
  const target = join(await unpacked(), 'chromium')
  if (existsSync(target)) return target
  const { folder } = await chromiumPackage()
  const fresh = `${target}-${process.pid}`
  await writeFile(fresh, await promisify(brotliDecompress)(await readFile(join(folder, 'bin', 'chromium.br'))))
  await chmod(fresh, 0o755)
  await rename(fresh, target)
  return target
}

/** Loads the package's Vulkan loader for good: Dawn, which asks for it by name, finds it even where the system has none. */
function loadVulkan(folder: string): void {
  const flags = constants.dlopen.RTLD_NOW | constants.dlopen.RTLD_GLOBAL | RTLD_NODELETE
  try {
    process.dlopen({ exports: {} }, join(folder, loader), flags)
  } catch {
    // It is no addon, says Node once it has loaded it.
  }
}

/**
 * Makes WebGPU in this process run on SwiftShader. Call it before the first adapter is asked for. A driver that the
 * environment names already stays: `VK_ICD_FILENAMES=... npx pnpm@12 test tests` tests on that one.
 */
export async function useSwiftshader(): Promise<void> {
  const folder = await unpacked()
  const icd = join(folder, 'icd.json')
  process.env['VK_ICD_FILENAMES'] ??= icd
  if (process.env['VK_ICD_FILENAMES'] === icd) loadVulkan(folder)
  // Mesa's device selection layer asks for a display otherwise.
  process.env['XDG_RUNTIME_DIR'] ??= tmpdir()
}
