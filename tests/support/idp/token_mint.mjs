// SPDX-License-Identifier: Apache-2.0
// token_mint.mjs PORT: an issuer that signs whatever it is asked to. Two of them, /a and /b, with
// keys of their own. POST /mint?iss=a&alg=RS256[&kid=K|&kid=none] with the claims as JSON gives a
// token; GET /counts the fetches of each key set.
import crypto from 'node:crypto';
import http from 'node:http';

const port = Number(process.argv[2]);
const base = `http://127.0.0.1:${port}`;
const makeKey = (kid, ...how) => ({ kid, ...crypto.generateKeyPairSync(...how) });
const issuers = Object.fromEntries(['a', 'b'].map((name) => [name, {
  fetches: 0,
  rsa: makeKey(`${name}-rsa`, 'rsa', { modulusLength: 2048 }),
  ec: makeKey(`${name}-ec`, 'ec', { namedCurve: 'P-256' }),
  ed: makeKey(`${name}-ed`, 'ed25519'),
}]));
const base64url = (text) => Buffer.from(text).toString('base64url');

function keyFor(issuer, alg) {
  if (alg === 'EdDSA') return issuer.ed;
  return alg.startsWith('ES') ? issuer.ec : issuer.rsa;
}

function sign(alg, key, input) {
  if (alg === 'none') return '';
  if (alg === 'HS256') {
    const pem = key.publicKey.export({ format: 'pem', type: 'spki' });
    return crypto.createHmac('sha256', pem).update(input).digest('base64url');
  }
  if (alg === 'EdDSA') return crypto.sign(null, Buffer.from(input), key.privateKey).toString('base64url');
  const options = { key: key.privateKey };
  if (alg === 'ES256') options.dsaEncoding = 'ieee-p1363';
  if (alg === 'PS256') {
    Object.assign(options, { padding: crypto.constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 });
  }
  return crypto.sign('sha256', Buffer.from(input), options).toString('base64url');
}

function mint(query, claims) {
  const alg = query.get('alg') ?? 'RS256';
  const key = keyFor(issuers[query.get('iss') ?? 'a'], alg);
  const header = { alg, typ: 'JWT' };
  if (query.get('kid') !== 'none') header.kid = query.get('kid') ?? key.kid;
  const input = `${base64url(JSON.stringify(header))}.${base64url(claims)}`;
  return `${input}.${sign(alg, key, input)}`;
}

function discovery(name) {
  const issuer = `${base}/${name}`;
  return { issuer, jwks_uri: `${issuer}/jwks`, token_endpoint: `${issuer}/token`,
    device_authorization_endpoint: `${issuer}/device` };
}

function keySet({ rsa, ec, ed }) {
  return { keys: [rsa, ec, ed].map(
    ({ kid, publicKey }) => ({ ...publicKey.export({ format: 'jwk' }), kid, use: 'sig' })) };
}

async function handle(request, response) {
  const { pathname, searchParams } = new URL(request.url, base);
  let body = '';
  for await (const chunk of request) body += chunk;
  const [, name, rest] = pathname.match(/^\/(a|b)\/(.*)$/) ?? [];
  const answer = (value) => response.end(JSON.stringify(value));
  if (pathname === '/mint') return response.end(mint(searchParams, body));
  if (pathname === '/counts') return answer({ a: issuers.a.fetches, b: issuers.b.fetches });
  if (rest === '.well-known/openid-configuration') return answer(discovery(name));
  if (rest === 'jwks') {
    issuers[name].fetches += 1;
    return answer(keySet(issuers[name]));
  }
  response.statusCode = 404;
  return answer({});
}

http.createServer(handle).listen(port, '127.0.0.1', () => console.log('{}'));
