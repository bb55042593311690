#!/usr/bin/env node
/* A partner that is npm's libas2, with PKI.js below it; the same lines in and out as lines.py has.
   Usage: NODE_PATH=... node libas2_peer.js KEYS

   libas2 has a composer and a parser but no server, so HTTP is Node's own. It reads what it is handed as one
   buffer: given headers and body apart it makes text of the body, which binary CMS does not survive. */
"use strict";
const fs = require("fs");
const http = require("http");
const path = require("path");
const readline = require("readline");
const { AS2Composer, AS2Parser } = require("libas2");
const { AS2SignedData } = require("libas2/dist/src/AS2Crypto/AS2SignedData");

const KEYS = process.argv[2];
const CIPHERS = {
  "des3": "des-EDE3-CBC",
  "aes-128-cbc": "aes128-CBC",
  "aes-192-cbc": "aes192-CBC",
  "aes-256-cbc": "aes256-CBC",
  "aes-128-gcm": "aes128-GCM",
  "aes-192-gcm": "aes192-GCM",
  "aes-256-gcm": "aes256-GCM",
};
const DIGESTS = { sha1: "sha-1", sha256: "sha-256", sha384: "sha-384", sha512: "sha-512" };
const sent = new Map();
let expected = {};
let seen = [];
let port = 0;

// libas2 computes the MIC of what it signs and forgets it: it is taken where it is computed.
let digest = null;
const sign = AS2SignedData.prototype.sign;
AS2SignedData.prototype.sign = async function (options) {
  const signed = await sign.call(this, options);
  digest = this.getMessageDigest().digest.toString("base64");
  return signed;
};

const read = (name) => fs.readFileSync(path.join(KEYS, name), "utf8");
const told = (error) => (error instanceof Error ? `${error.name}: ${error.message}` : JSON.stringify(error));

// One certificate a side does all: signs, decrypts, verifies or is encrypted to. `curve`: by option, who needs the
// one on a curve.
function agreement(options, url, curve) {
  const mine = curve.mine ? "peer-ec" : "peer";
  const theirs = curve.theirs ? "gateway-ec" : "gateway";
  const digest = DIGESTS[options.digest];
  const signedReceipt = options.mdn === "signed" || options.mdn === "async" ? digest : false;
  return {
    host: {
      name: "peer",
      id: options.me,
      url: `http://127.0.0.1:${port}/mdn`,
      certificate: read(`${mine}.pem`),
      privateKey: read(`${mine}.key`),
      sign: options.sign === "none" ? false : digest,
      decrypt: options.encrypt !== "none",
      mdn: options.mdn === "none" ? undefined : { async: options.mdn.startsWith("async"), signing: signedReceipt },
    },
    partner: {
      name: "gateway",
      id: options.them,
      url,
      file: "EDIFACT",
      certificate: read(`${theirs}.pem`),
      encrypt: options.encrypt === "none" ? false : CIPHERS[options.encrypt],
      verify: options.sign !== "none",
      mdn: { async: false, signing: signedReceipt },
    },
  };
}

function post(url, headers, body) {
  return new Promise((resolve, reject) => {
    const flat = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value).replace(/\s*[\r\n]+\s*/g, " ")]));
    const request = http.request(url, { method: "POST", headers: { ...flat, "Content-Length": Buffer.byteLength(body) }, agent: false }, (response) => {
      const pieces = [];
      response.on("data", (piece) => pieces.push(piece));
      response.on("end", () => resolve({ status: response.statusCode, raw: raw(response, Buffer.concat(pieces)), empty: !pieces.length }));
    });
    request.on("error", reject);
    request.end(body);
  });
}

function raw(message, body) {
  let head = "";
  for (let at = 0; at < message.rawHeaders.length; at += 2) head += `${message.rawHeaders[at]}: ${message.rawHeaders[at + 1]}\r\n`;
  return Buffer.concat([Buffer.from(head + "\r\n", "latin1"), body]);
}

async function send({ url, payload, options }) {
  if (options.compress !== "none") throw new Error("libas2 does not compress");
  if (options.sign === "pss") throw new Error("libas2 signs by the kind of its key");
  // What PKI.js does by default, and libas2 leaves as it is.
  if (options.encrypt !== "none" && !["oaep-sha512", "ecdh-sha512"].includes(options.key))
    throw new Error(`libas2 encrypts keys by its defaults, not ${options.key}`);
  const composer = new AS2Composer({
    message: {
      filename: "declaration.edi",
      contentType: options.type,
      content: Buffer.from(payload, "base64"),
      contentDisposition: 'attachment; filename="declaration.edi"',
    },
    agreement: agreement(options, url, { mine: options.sign === "ecdsa", theirs: options.key.startsWith("ecdh") }),
  });
  digest = null;
  const request = await composer.toRequestOptions();
  const id = Object.entries(request.headers).find(([name]) => name.toLowerCase() === "message-id")[1];
  const mic = digest;
  sent.set(id, mic);
  const response = await post(url, request.headers, request.body);
  const result = { status: response.status, message_id: id, mic };
  return response.empty ? { ...result, disposition: null } : { ...result, ...(await receipt(response.raw)) };
}

async function receipt(octets) {
  const node = await AS2Parser.parse(octets);
  const signed = node.contentType.includes("multipart/signed");
  const found = await node.dispositionIn(signed ? { cert: read("gateway.pem") } : undefined);
  const id = found.notification.originalMessageId;
  const said = found.notification.disposition;
  const mic = found.notification.receivedContentMic;
  const text = said.description ? `/${said.description.type}: ${said.description.text}` : "";
  return {
    disposition: (said.processed ? "processed" : "failed") + text,
    signed,
    original: id,
    mic_returned: mic ? `${mic.mic}, ${mic.algorithm}` : "",
    mic_matches: mic && sent.get(id) ? mic.mic === sent.get(id) : null,
  };
}

// The parser counts the line end before a delimiter to the part.
function document(node, made) {
  const content = Buffer.from(node.content);
  return made.partner.verify ? content.subarray(0, content.length - 2) : content;
}

async function message(octets) {
  const options = expected;
  const node = await AS2Parser.parse(octets);
  const curve = { mine: options.key.startsWith("ecdh"), theirs: options.sign === "ecdsa" };
  const made = agreement(options, "http://127.0.0.1/", curve);
  const wants = node.getHeader("Disposition-Notification-To");
  const { contentNode, disposition, dispositionNode } = await node.dispositionOut({ agreement: made });
  const said = disposition.notification.disposition;
  const mic = disposition.notification.receivedContentMic;
  const noted = {
    kind: "message",
    status: said.processed ? "processed" : "failed",
    detail: said.description ? said.description.text : null,
    message_id: node.messageId(),
    payload: contentNode && contentNode.content ? document(contentNode, made).toString("base64") : "",
    filename: contentNode ? contentNode.filename || null : null,
    signed: made.partner.verify,
    encrypted: made.host.decrypt,
    compressed: false,
    mic: mic ? mic.mic : null,
  };
  return { noted, answer: wants ? await dispositionNode.buildObject() : null, later: node.getHeader("Receipt-Delivery-Option") };
}

async function take(request, response) {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  const octets = raw(request, Buffer.concat(pieces));
  try {
    if (request.url === "/mdn") {
      seen.push({ kind: "receipt", ...(await receipt(octets)) });
      response.writeHead(200).end();
      return;
    }
    const { noted, answer, later } = await message(octets);
    seen.push({ ...noted, chunked: "transfer-encoding" in request.headers });
    if (answer === null || later) response.writeHead(later ? 202 : 200).end();
    else response.writeHead(200, answer.headers).end(answer.body);
    if (answer !== null && later) await post(later, answer.headers, answer.body);
  } catch (error) {
    console.error(error);
    seen.push({ kind: "failure", failure: told(error) });
    if (!response.headersSent) response.writeHead(500).end();
  }
}

async function perform(request) {
  if (request.do === "send") return send(request);
  if (request.do === "expect") {
    expected = request.options;
    if (expected.scheme !== "pkcs1") throw new Error(`libas2 signs by RSA PKCS#1 v1.5 only, not ${expected.scheme}`);
  }
  const answer = request.do === "seen" ? { seen } : {};
  if (request.do === "seen") seen = [];
  return answer;
}

const server = http.createServer(take).listen(0, "127.0.0.1", async () => {
  port = server.address().port;
  const { version } = require("libas2/package.json");
  console.log(JSON.stringify({ port, version: `libas2 ${version}` }));
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const answer = await perform(JSON.parse(line)).catch((error) => ({ failure: told(error) }));
    console.log(JSON.stringify(answer));
  }
  process.exit(0);
});
