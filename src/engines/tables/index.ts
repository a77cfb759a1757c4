export type { BatchResult, Migration, Row, SqlValue, Statement, TablesPort } from './port.ts'
export { openSqliteTables } from './sqlite.ts'
