export { createViewerTokens, type IssuedToken, type Viewer, type ViewerTokens } from './viewer-tokens.ts'
