// Walks all thngs, page by page, with the SDK's iterator.
const onScheduledEvent = (event) => {
  let seen = 0;
  const pages = app.thng().iterator({ params: { perPage: event.perPage } });
  EVT.Utils.forEachAsync(pages, (thngs) => {
    seen += thngs.length;
    logger.debug(`a page of ${thngs.length}`);
  })
    .then(() => logger.info(`${seen} thngs`))
    .catch(logger.error)
    .then(done);
};
