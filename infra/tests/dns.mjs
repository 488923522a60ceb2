// A name server that knows one file: {"backend": ["10.0.0.1", …]}, read anew for each question. It stands in for Docker's
// in the network namespace of NGINX: `node dns.mjs ADDRESS FILE`.

import dgram from "node:dgram";
import { readFileSync } from "node:fs";

const [address, file] = process.argv.slice(2);
const server = dgram.createSocket("udp4");

server.on("message", (question, from) => {
  const labels = [];
  let at = 12;
  while (question[at]) {
    labels.push(question.subarray(at + 1, at + 1 + question[at]).toString());
    at += 1 + question[at];
  }
  const end = at + 5;
  const addresses = (question.readUInt16BE(at + 1) === 1 && JSON.parse(readFileSync(file, "utf8"))[labels.join(".")]) || [];
  const header = Buffer.from(question.subarray(0, 12));
  // An answer, with recursion; "no such name" where there are no addresses.
  header.writeUInt16BE(addresses.length ? 0x8180 : 0x8183, 2);
  header.writeUInt16BE(addresses.length, 6);
  header.writeUInt32BE(0, 8);
  const answers = addresses.map((it) =>
    Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, ...it.split(".").map(Number)]),
  );
  server.send(Buffer.concat([header, question.subarray(12, end), ...answers]), from.port, from.address);
});
server.bind(53, address);
