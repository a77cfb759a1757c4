export { defineView, type ViewDefinition } from './definition.ts'
export type { Positions } from './positions.ts'
export {
  createVersionedView,
  type VersionedView,
  type VersionedViewOptions,
} from './versioned-view.ts'
export { createView, type View, type ViewLag, type ViewSnapshots, type ViewSources } from './view.ts'
