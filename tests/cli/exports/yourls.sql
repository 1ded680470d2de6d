-- MySQL dump 10.13
DROP TABLE IF EXISTS `yourls_options`;
INSERT INTO `yourls_options` VALUES (1,'version','1.9'),(2,'next_id','7');
CREATE TABLE `yourls_url` (
  `keyword` varchar(200) NOT NULL,
  `url` text NOT NULL,
  `title` text DEFAULT NULL,
  `timestamp` timestamp NOT NULL DEFAULT current_timestamp(),
  `ip` varchar(41) NOT NULL,
  `clicks` int(10) unsigned NOT NULL,
  PRIMARY KEY (`keyword`)
);
INSERT INTO `yourls_url` VALUES ('docs','https://docs.example/?q=it\'s','The docs; (all, of them)','2019-05-01 10:11:12','192.0.2.7',42),('faq','https://docs.example/faq',NULL,'2019-05-02 10:11:12','192.0.2.7',0);
INSERT INTO `yourls_url` (`keyword`, `url`, `title`, `timestamp`, `ip`, `clicks`) VALUES
('news','https://news.example/','Line\nbreak','2020-01-01 00:00:00','192.0.2.7',5);
