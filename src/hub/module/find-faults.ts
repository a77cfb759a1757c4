import type { Registry } from '../../contracts/index.ts'
import { parsePattern } from '../patterns/index.ts'
import type { PipeDefinition } from '../pipe/index.ts'
import { findWaits } from '../registry/index.ts'
import type { ViewDefinition } from '../views/index.ts'
import type { HubModule, HubSubscription } from './define-hub.ts'

/** A sentence for each thing wrong with what modules of good shape say together. Pure. */
export function findModuleFaults(modules: readonly HubModule[], registry: Registry): readonly string[] {
  const pipes = modules.flatMap((module) => module.pipes ?? [])
  const subscriptions = modules.flatMap((module) => module.subscriptions ?? [])
  const views = modules.flatMap((module) => module.views ?? [])
  return [
    ...findRepeats('pipe', pipes),
    ...findRepeats('subscription', subscriptions),
    ...findViewFaults(views),
    ...pipes.flatMap((pipe) => findPipeFaults(pipe, registry)),
    ...findCircles(pipes, registry),
    ...subscriptions.flatMap(findPatternFaults),
  ]
}

function findRepeats(kind: string, named: readonly { readonly name: string }[]): readonly string[] {
  const names = named.map(({ name }) => name)
  const repeated = new Set(names.filter((name, at) => names.indexOf(name) < at))
  return [...repeated].map(
    (name) => `${kind} ${name}: expected one of this name, got ${names.filter((each) => each === name).length}`,
  )
}

/** Two versions of one view may stand beside each other: the newer takes over once it has caught up. */
function findViewFaults(views: readonly ViewDefinition<unknown>[]): readonly string[] {
  return [...Map.groupBy(views, ({ name }) => name)].flatMap(([name, versions]) => {
    const numbers = versions.map(({ version }) => version)
    if (numbers.length <= 2 && new Set(numbers).size === numbers.length) return []
    return [`view ${name}: expected one definition, or two of different versions, got versions ${numbers.join(', ')}`]
  })
}

function findPipeFaults(pipe: PipeDefinition, registry: Registry): readonly string[] {
  const waits = findWaits(pipe.schema).map((fault) => `pipe ${pipe.name}: schema: ${fault}; enrich may wait`)
  return [...waits, ...findTypeFaults(pipe, registry)]
}

function findTypeFaults({ name, to }: PipeDefinition, registry: Registry): readonly string[] {
  // A type that depends on the record shows when there is one.
  if (typeof to.type !== 'string') return []
  const definition = registry.get(to.type)
  if (!definition) return [`pipe ${name}: to.type: expected the type of a defined event, got "${to.type}"`]
  if (definition.data === null && !to.payload)
    return [`pipe ${name}: to.payload: expected one, since ${to.type} has an opaque payload`]
  if (definition.data !== null && to.payload)
    return [`pipe ${name}: to.payload: expected none, since ${to.type} has data of its own schema; say data`]
  return []
}

/** Pipes that feed one another would never rest. */
function findCircles(pipes: readonly PipeDefinition[], registry: Registry): readonly string[] {
  const edges = pipes.flatMap(({ name, from, to }) => {
    const topic = typeof to.type === 'string' ? registry.get(to.type)?.topic : undefined
    return topic === undefined ? [] : [{ name, from: from.topic, to: topic }]
  })
  const reachedFrom = (start: string): ReadonlySet<string> => {
    const reached = new Set([start])
    // A set that grows while it is walked is walked to its new end.
    for (const topic of reached) for (const edge of edges) if (edge.from === topic) reached.add(edge.to)
    return reached
  }
  return edges
    .filter((edge) => reachedFrom(edge.to).has(edge.from))
    .map(({ name, from, to }) => `pipe ${name}: from.topic: ${from} is fed by what the pipe itself puts on ${to}`)
}

function findPatternFaults({ name, pattern }: HubSubscription): readonly string[] {
  const parsed = parsePattern(pattern)
  return parsed.ok ? [] : [`subscription ${name}: pattern: ${parsed.code}: ${parsed.detail}`]
}
