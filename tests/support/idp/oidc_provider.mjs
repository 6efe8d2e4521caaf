// SPDX-License-Identifier: Apache-2.0
// A real, certified OpenID provider (npm oidc-provider 8.8.1) with the device flow, on loopback.
// Started by tests/support/idp.py with a JSON object of knobs as its argument:
//   dir            where npm installed it        port     to listen on
//   interval       sent in the device reply; the library sends none (0: none)
//   enforce_interval  slow_down below so many seconds; the library never sends it (0: never)
//   device_ttl, id_token_ttl    seconds          alg      of the ID tokens
//   conform        scope claims only in userinfo, as the library's default is
//   tls_cert, tls_key           files: https
// Besides the protocol: GET /_test/counts (requests per path), /_test/rotate[?drop] (a new key),
// /_test/groups?user=U&group=G&group=... (the groups of U from now on).
import crypto from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { pathToFileURL } from 'node:url';

const knobs = {
  interval: 1, enforce_interval: 0, device_ttl: 600, id_token_ttl: 300, alg: 'RS256',
  conform: false, ...JSON.parse(process.argv[2]),
};
const { default: Provider } =
  await import(pathToFileURL(`${knobs.dir}/node_modules/oidc-provider/lib/index.js`));
const issuer = `${knobs.tls_cert ? 'https' : 'http'}://127.0.0.1:${knobs.port}`;

const users = {
  alice: { name: 'Alice A', preferred_username: 'alice', email: 'alice@example.org',
    email_verified: true, groups: ['ssh-users', 'db-admins'] },
  bob: { name: 'Bob B', preferred_username: 'bob', email: 'bob@example.org',
    email_verified: false, groups: ['ssh-users'] },
  many: { name: 'Many M', preferred_username: 'many',
    groups: Array.from({ length: 300 }, (_, i) => `team-number-${String(i).padStart(4, '0')}`) },
  none: { name: 'No Groups', preferred_username: 'none' },
};

let keyNumber = 0;
function newKey(alg) {
  const { privateKey } = alg === 'ES256'
    ? crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' })
    : crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });
  const kid = `k${++keyNumber}-${crypto.randomBytes(3).toString('hex')}`;
  return { ...privateKey.export({ format: 'jwk' }), kid, use: 'sig', alg };
}
let keys = [newKey(knobs.alg)];
const cookieKeys = [crypto.randomBytes(16).toString('hex')];

// The client of private_key_jwt: its private half goes to idp.py in the first line of our output.
const clientKey = newKey('RS256');
const publicHalf = ({ kty, n, e, kid, use, alg }) => ({ kty, n, e, kid, use, alg });

const client = (id, authentication, more = {}) => ({
  client_id: id, client_name: 'SSH bastion', token_endpoint_auth_method: authentication,
  grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
  response_types: [], redirect_uris: [], id_token_signed_response_alg: knobs.alg,
  scope: 'openid profile email groups offline_access', ...more,
});
const clients = [
  client('bastion-public', 'none', { application_type: 'native' }),
  client('bastion-basic', 'client_secret_basic', { client_secret: 'secret+with/odd:chars&100%' }),
  client('bastion-post', 'client_secret_post', { client_secret: 'postsecret' }),
  client('bastion-key', 'private_key_jwt',
    { token_endpoint_auth_signing_alg: 'RS256', jwks: { keys: [publicHalf(clientKey)] } }),
];

// Pages that a script can follow.
const page = (ctx, text) => { ctx.type = 'html'; ctx.body = `<html>${text}</html>`; };

function configuration() {
  return {
    clients,
    jwks: { keys },
    cookies: { keys: cookieKeys },
    scopes: ['openid', 'offline_access', 'profile', 'email', 'groups'],
    claims: { openid: ['sub'], profile: ['name', 'preferred_username'],
      email: ['email', 'email_verified'], groups: ['groups'] },
    conformIdTokenClaims: knobs.conform,
    async findAccount(_ctx, sub) {
      return users[sub] && { accountId: sub, claims: async () => ({ sub, ...users[sub] }) };
    },
    features: {
      devInteractions: { enabled: false },
      userinfo: { enabled: true },
      deviceFlow: {
        enabled: true,
        userCodeInputSource: async (ctx, form, _out, error) => {
          ctx.status = error ? 400 : 200;
          page(ctx, (error ? `ERROR ${error.name} ` : '') + form);
        },
        userCodeConfirmSource: async (ctx, form) => page(ctx, form),
        successSource: async (ctx) => page(ctx, 'SUCCESS'),
      },
    },
    enabledJWA: { idTokenSigningAlgValues: [...new Set([knobs.alg, 'RS256'])] },
    pkce: { required: () => false },
    ttl: { DeviceCode: knobs.device_ttl, AccessToken: 300, IdToken: knobs.id_token_ttl,
      Interaction: 600, Session: 3600, Grant: 86400, RefreshToken: 86400 },
    interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    renderError: async (ctx, out) => page(ctx, `OIDC-ERROR ${JSON.stringify(out)}`),
  };
}

async function readForm(request) {
  let text = '';
  for await (const chunk of request) text += chunk;
  return new URLSearchParams(text);
}

// RFC 8628 3.5, which the library leaves out: too early is slow_down, and 5 s more from then on.
const lastPoll = new Map();
function isTooEarly(deviceCode) {
  const now = Date.now();
  const state = lastPoll.get(deviceCode) ?? { at: 0, interval: knobs.enforce_interval };
  const early = now - state.at < state.interval * 1000 - 200;
  lastPoll.set(deviceCode, { at: now, interval: state.interval + (early ? 5 : 0) });
  return early;
}

function makeProvider() {
  const provider = new Provider(issuer, configuration());
  provider.use(async (ctx, next) => {
    if (ctx.path === '/token' && knobs.enforce_interval > 0) {
      const form = await readForm(ctx.req);
      ctx.req.body = Object.fromEntries(form);  // the library takes a body that is parsed already
      if (isTooEarly(form.get('device_code'))) {
        ctx.status = 400;
        ctx.body = { error: 'slow_down' };
        return;
      }
    }
    await next();
    if (ctx.oidc?.route === 'device_authorization' && ctx.status === 200 && knobs.interval > 0) {
      ctx.body = { ...ctx.body, interval: knobs.interval };
    }
  });
  provider.on('server_error', (_ctx, error) => console.error('server_error', error));
  return { provider, callback: provider.callback() };
}
let current = makeProvider();

// The sign-in and consent pages in one: POST user=alice&decision=approve|deny.
async function interact(request, response) {
  const { provider } = current;
  const { prompt, params, session, grantId } = await provider.interactionDetails(request, response);
  const form = await readForm(request);
  const finish = (result, merge) => provider.interactionFinished(
    request, response, result, { mergeWithLastSubmission: merge });
  if (form.get('decision') === 'deny') {
    return finish({ error: 'access_denied', error_description: 'the user said no' }, false);
  }
  if (prompt.name === 'login') {
    return finish({ login: { accountId: form.get('user') } }, false);
  }
  const grant = grantId ? await provider.Grant.find(grantId)
    : new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  if (prompt.details.missingOIDCScope) grant.addOIDCScope(prompt.details.missingOIDCScope.join(' '));
  if (prompt.details.missingOIDCClaims) grant.addOIDCClaims(prompt.details.missingOIDCClaims);
  return finish({ consent: { grantId: await grant.save() } }, true);
}

const counts = {};
function handle(request, response) {
  const { pathname, searchParams } = new URL(request.url, issuer);
  if (pathname === '/_test/counts') return response.end(JSON.stringify(counts));
  if (pathname === '/_test/rotate') {
    keys = searchParams.has('drop') ? [newKey(knobs.alg)] : [newKey(knobs.alg), ...keys];
    current = makeProvider();
    return response.end(JSON.stringify(keys.map((key) => key.kid)));
  }
  if (pathname === '/_test/groups') {
    users[searchParams.get('user')].groups = searchParams.getAll('group');
    return response.end();
  }
  counts[pathname] = (counts[pathname] ?? 0) + 1;
  if (pathname.startsWith('/interaction/')) {
    return interact(request, response).catch((error) => {
      response.statusCode = 500;
      response.end(`ERROR ${error.message}`);
    });
  }
  return current.callback(request, response);
}

const server = knobs.tls_cert
  ? https.createServer(
    { cert: fs.readFileSync(knobs.tls_cert), key: fs.readFileSync(knobs.tls_key) }, handle)
  : http.createServer(handle);
server.listen(knobs.port, '127.0.0.1', () => console.log(JSON.stringify(clientKey)));
