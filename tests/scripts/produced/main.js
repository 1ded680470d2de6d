/* Marks what was produced.
 * @filter(onActionCreated) action.type=_Produced
 */
const markAsProduced = (thng) => {
  const tags = (thng.tags || []).filter((tag) => tag !== 'planned');
  thng.tags = tags.concat('produced');
  return thng.update();
};

function onActionCreated(event) {
  app.thng(event.action.thng).read()
    .then(markAsProduced)
    .then((thng) => logger.info(`${thng.name} is ${thng.tags.join(', ')}`))
    .catch((error) => logger.error(error.message || error))
    .then(done);
}
