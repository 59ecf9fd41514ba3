// Cycles of imports that exist at run time: types are erased first, so a cycle of types alone passes.
import arrows from './.dependency-cruiser.mjs'

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      comment: 'modules import each other in one direction',
      from: {},
      to: { circular: true },
    },
  ],
  options: { ...arrows.options, tsPreCompilationDeps: false },
}
