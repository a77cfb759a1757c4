export type { ViewEvents } from './decode.ts'
export { defineView, type ViewDefinition } from './definition.ts'
export type { Positions } from './positions.ts'
export {
  createVersionedView,
  type VersionedView,
  type VersionedViewOptions,
} from './versioned-view.ts'
export { createView, type View, type ViewLag } from './view.ts'
export type { ViewSnapshots, ViewSources } from './view-options.ts'
