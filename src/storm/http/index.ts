export {
  type Connection,
  type ConnectionOptions,
  createConnection,
  type ExchangeFailure,
  type ExchangeRequest,
  type ExchangeResult,
} from './connection.ts'
export { HTTP_LIMITS } from './limits.ts'
export {
  createPlaylistMemo,
  type PlaylistMemo,
  type PlaylistResult,
  parseMainPlaylist,
  parseMediaPlaylist,
} from './playlists.ts'
export { type RequestLine, renderHead } from './request.ts'
