// Says how long after an action it was told of it.
function onActionCreated({ action }) {
  logger.info(String(Date.now() - action.createdAt));
  done();
}
