import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A built page, in a folder that only its maker uses. */
export interface Bundle {
  readonly folder: string
  /** Deletes the folder. */
  remove(): Promise<void>
}

/** Builds the page whose `index.html` lies in `root` with Vite: modules, workers and styles, with nothing from elsewhere. */
export async function bundlePage(root: string): Promise<Bundle> {
  const { build } = await import('vite')
  const folder = await mkdtemp(join(tmpdir(), 'tessella-page-'))
  await build({
    root,
    configFile: false,
    logLevel: 'error',
    resolve: { conditions: ['@tessella/source', 'module', 'browser', 'production'] },
    build: { outDir: folder, emptyOutDir: true, target: 'esnext', modulePreload: false, chunkSizeWarningLimit: 4000 },
    worker: { format: 'es' },
  })
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) }
}
