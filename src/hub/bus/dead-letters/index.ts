export {
  createDeadLetters,
  type DeadLetterFilter,
  type DeadLetterPage,
  type DeadLetters,
  type DeadLetterWithPayload,
} from './dead-letters.ts'
