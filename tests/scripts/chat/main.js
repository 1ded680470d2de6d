// Posts to a chat's incoming webhook when an action of a type arrives.
const http = require('http');

// @filter(onActionCreated) action.type=_Alert
function onActionCreated(event) {
  const { action } = event;
  const text = `${action.type} on ${action.thng}: ${action.customFields.message}`;
  const sent = http.request('$HOOK', { method: 'POST' }, (answer) => {
    answer.resume();
    answer.on('end', () => {
      logger.info(`the chat answered ${answer.statusCode}`);
      done();
    });
  });
  sent.on('error', logger.error);
  sent.setHeader('content-type', 'application/json');
  sent.end(JSON.stringify({ text }));
}
