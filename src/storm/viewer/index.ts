export { isReadable } from './answers.ts'
export { type ListedTitle, populationOf } from './choose.ts'
export { DEFAULT_HABITS, type PlayerHabits, type ViewerHabits } from './habits.ts'
export { decideViewer, type ViewerDecision } from './machine.ts'
export { patienceMs } from './patience.ts'
export {
  type Failure,
  type MainPlaylist,
  type MediaPlaylist,
  REQUEST_KINDS,
  type RequestKind,
  type Variant,
  type ViewerEffect,
  type ViewerEvent,
  type ViewerMode,
  type ViewerNote,
  type ViewerOrigin,
  type ViewerRequest,
} from './protocol.ts'
export { createViewer, type ViewerState } from './state.ts'
