export {
  type Answer,
  type AnswerReport,
  type Exchange,
  type RequestFields,
  type ServerRequest,
  toHead,
} from './message.ts'
export type { Admission, HttpServer, ServerLimits, ServerOptions } from './options.ts'
export { createHttpServer } from './server.ts'
