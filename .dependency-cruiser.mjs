// The arrows between the tiles, as rules over imports (type imports count too).
// What a tile's `src` may point at; anything else is an error. Tests may import every tile.
const arrows = {
  ir: [],
  tensor: ['ir'],
  autograd: ['tensor', 'ir'],
  compiler: ['ir'],
  'backend-[^/]+': ['compiler', 'ir'],
  layers: ['tensor'],
  losses: ['tensor'],
  optimizers: ['tensor'],
  regularizers: ['tensor'],
  datasets: ['tensor'],
  training: ['tensor', 'autograd', 'losses', 'optimizers', 'datasets'],
  testing: ['ir', 'tensor', 'autograd'],
  tessella: ['(?!compiler/|testing/)[^/]+'],
}

const tileRules = Object.entries(arrows).map(([tile, allowed]) => ({
  name: `arrow-${tile.replace('-[^/]+', '')}`,
  severity: 'error',
  comment: `${tile} may import only: ${allowed.join(', ') || 'nothing'}`,
  from: { path: `^packages/(${tile})/src/` },
  to: { path: '^packages/', pathNot: [`^packages/$1/`, ...allowed.map((name) => `^packages/${name}/`)] },
}))

const known = Object.keys(arrows).join('|')

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    ...tileRules,
    {
      name: 'unknown-tile',
      severity: 'error',
      comment: 'a new package needs a row in the table of arrows',
      from: { path: '^packages/', pathNot: `^packages/(${known})/` },
      to: {},
    },
    {
      name: 'compiler-only-from-backends',
      severity: 'error',
      comment: 'only backends and tests may point at the compiler',
      from: { pathNot: '^packages/(compiler|backend-[^/]+|[^/]+/test)/' },
      to: { path: '^packages/compiler/' },
    },
    {
      name: 'backends-only-from-apps',
      severity: 'error',
      comment: 'only apps, the tessella package and tests may point at a backend',
      from: { path: '^packages/([^/]+)/src/', pathNot: '^packages/tessella/' },
      to: { path: '^packages/backend-', pathNot: '^packages/$1/' },
    },
    {
      name: 'nothing-imports-apps',
      severity: 'error',
      comment: 'apps are leaves',
      from: { pathNot: '^apps/' },
      to: { path: '^apps/' },
    },
    {
      name: 'no-deep-imports',
      severity: 'error',
      comment: 'another tile is imported by its name, never by a path into it',
      from: { path: '^(packages|apps)/([^/]+)/' },
      to: {
        path: '^packages/',
        pathNot: ['^$1/$2/', '^packages/[^/]+/src/index\\.ts$', '^packages/[^/]+/src/[^/]+/index\\.ts$'],
      },
    },
    {
      name: 'src-never-imports-tests',
      severity: 'error',
      comment: 'what is published does not import tests',
      from: { path: '^packages/[^/]+/src/' },
      to: { path: '/test(-d)?/' },
    },
    {
      name: 'no-runtime-dependencies',
      severity: 'error',
      comment:
        'tiles have no dependencies from the registry; optional peers are loaded lazily by name; the conformance suite is vitest tests',
      from: { path: '^packages/[^/]+/src/', pathNot: '^packages/testing/' },
      to: { dependencyTypes: ['npm', 'npm-dev', 'npm-no-pkg', 'npm-unknown', 'npm-bundled'] },
    },
    {
      name: 'unresolvable',
      severity: 'error',
      comment: 'every import resolves',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['@tessella/source', 'import', 'types', 'node', 'default'],
      extensions: ['.ts', '.js', '.mjs', '.d.ts', '.json'],
    },
  },
}
