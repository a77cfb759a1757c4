export {
  createFunctionTarget,
  type FunctionContext,
  type FunctionHandler,
} from './function.ts'
export { isAllowedAddress } from './network-guard.ts'
export {
  createWebhookSecret,
  parseWebhookSecret,
  signWebhook,
  verifyWebhook,
  WEBHOOK_HEADERS,
  type WebhookVerified,
} from './standard-webhooks.ts'
export { createTopicTarget, QUEUE_HEADERS } from './topic.ts'
export { createWebhookTarget, describeWebhookUrl, parseWebhookUrl, type WebhookTargetOptions } from './webhook.ts'
