const voids = new Set(['meta', 'img', 'br'])
const tag = /<(\/?)([a-z][\w-]*)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>/giy

/** What is wrong with markup: tags that do not match, attributes that are given twice or unquoted, stray characters. */
export function markupProblems(markup: string): readonly string[] {
  const problems: string[] = []
  const open: string[] = []
  let at = 0
  while (at < markup.length) {
    const next = markup.indexOf('<', at)
    const text = markup.slice(at, next < 0 ? markup.length : next)
    if (open.at(-1) !== 'style' && (text.includes('>') || /&(?!(amp|lt|gt|quot|#39);)/.test(text)))
      problems.push(`stray character in '${text.trim().slice(0, 40)}'`)
    if (next < 0) break
    tag.lastIndex = next
    const found = tag.exec(markup)
    if (found === null) return [...problems, `no tag at '${markup.slice(next, next + 60)}'`]
    const [all, closing, name = '', attributes = '', selfClosing] = found
    const names = [...attributes.matchAll(/([\w:-]+)="/g)].map((m) => m[1])
    if (new Set(names).size !== names.length) problems.push(`attribute twice in ${all}`)
    if (closing) {
      const last = open.pop()
      if (last !== name) problems.push(`</${name}> closes <${last}>`)
    } else if (!selfClosing && !voids.has(name)) open.push(name)
    at = next + all.length
  }
  if (open.length > 0) problems.push(`open at the end: ${open.join(' ')}`)
  return problems
}
