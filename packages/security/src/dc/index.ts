export { dcSecRequestCredential } from './request_credential.js';
