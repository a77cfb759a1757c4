export { defineHub, type HubModule, type HubSubscription } from './define-hub.ts'
export { type LoadedHub, type LoadedSubscription, loadHubModules } from './load-modules.ts'
