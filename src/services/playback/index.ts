export type { ClientAddress } from './client-network.ts'
export { createEndedSessions, type EndedSessions, type Ending } from './ended-sessions.ts'
export { listedHeights, renderMainPlaylist } from './main-playlist.ts'
export { findMediaFile, type MediaFile } from './media-file.ts'
export { renderCaptionsPlaylist, renderMediaPlaylist } from './media-playlist.ts'
export {
  createPlayback,
  type Playback,
  type PlaybackRenewed,
  type PlaybackStarted,
  type TitleRefusal,
  type TokenRefusal,
} from './playback.ts'
export { refuseEnded } from './refuse-ended.ts'
export { createSessionIds, type SessionIds } from './session-id.ts'
export type { PlayableTitle, PlayableTrack } from './title.ts'
export { createWantedSegments, type WantedSegments } from './wanted.ts'
