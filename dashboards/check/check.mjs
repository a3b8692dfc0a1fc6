import { readFileSync } from "node:fs";
import Ajv from "ajv";

const validate = new Ajv({ allErrors: true, strict: false }).compile(JSON.parse(readFileSync("schema.json", "utf8")));
const board = JSON.parse(readFileSync(process.env.DASHBOARD, "utf8"));
if (!validate(board)) {
  for (const e of validate.errors) console.error(e.instancePath, e.message, JSON.stringify(e.params));
  process.exit(1);
}
console.log(`${board.panels.length} panels are as Grafana's types have them`);
